"""What the extension costs a function, measured from outside in the emulated Lambda."""
