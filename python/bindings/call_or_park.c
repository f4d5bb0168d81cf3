#include "python/bindings/call_or_park.h"

#include <pthread.h>
#include <unistd.h>

void ParkThisThread(void* unused) {
  (void)unused;
  while (1) pause();
}

void CallOrPark(void (*call)(void*), void* argument) {
  pthread_cleanup_push(&ParkThisThread, NULL);
  call(argument);
  pthread_cleanup_pop(0);
}
