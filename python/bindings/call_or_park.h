/* A call during which the thread may be told to exit: it sleeps for ever instead.
 *
 *   CallOrPark(&TakeTheLock, &lock);
 *
 * Any thread may use it. It is C, since pthread_exit then jumps to the handler as soon as it has left the call, and
 * asks no C++ frame. Unwinding C++ frames would need the same unwinder in this module and in the C library, and a
 * module that brings its own C++ library has one of its own. */

#ifndef THAW_PYTHON_BINDINGS_CALL_OR_PARK_H_
#define THAW_PYTHON_BINDINGS_CALL_OR_PARK_H_

#ifdef __cplusplus
extern "C" {
#endif

/* Sleeps for ever. */
void ParkThisThread(void* unused) __attribute__((noreturn));

/* Runs call(argument). If that ends the thread by pthread_exit, the thread is parked. The call and what it calls may
 * own nothing, and throws nothing. */
void CallOrPark(void (*call)(void*), void* argument);

#ifdef __cplusplus
}
#endif

#endif /* THAW_PYTHON_BINDINGS_CALL_OR_PARK_H_ */
