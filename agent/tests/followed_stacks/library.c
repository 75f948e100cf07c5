// A library that is loaded late.
volatile int calls;

void call(void (*function)(int)) {
    function(calls);
    calls++;
}
