// A program whose functions keep no frame pointers, and whose stacks lead through libraries. It does what its argument says once it has
// read a byte, says so with another, and waits until it has read a second one. Without an argument it begins at once.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEEP __attribute__((noinline))

volatile int sink;

KEEP void leaf(int n) {
    sink = n;
    rmdir("/nowhere/at/all");
    sink++;
}

KEEP void middle(int n) {
    volatile char room[200];
    room[n & 63] = n;
    leaf(n + room[n & 63]);
    sink++;
}

int compare(const void *a, const void *b) {
    middle(*(const int *)a);
    sink++;
    return *(const int *)a - *(const int *)b;
}

KEEP void outer(void) {
    int numbers[2] = {2, 1};
    qsort(numbers, 2, sizeof numbers[0], compare);
    sink += numbers[0];
}

// What it has on its stack is aligned further than the stack is, and its size is known only when it runs.
KEEP void aligned(int n) {
    volatile char room[n] __attribute__((aligned(64)));
    room[n / 2] = n;
    middle(room[n / 2]);
    sink++;
}

// As in libraries of ciphers: the stack is aligned, and where it was is kept on it.
void by_hand(void);
__asm__(".text\n.globl by_hand\n.type by_hand, @function\nby_hand:\n"
        ".cfi_startproc\nmov %rsp, %rax\n.cfi_def_cfa_register %rax\n"
        "sub $1200, %rsp\nand $-64, %rsp\nmov %rax, 1152(%rsp)\n"
        ".cfi_escape 0x0f, 6, 0x77, 0x80, 9, 6, 0x23, 8\n"
        "mov $7, %edi\ncall middle@PLT\n"
        "mov 1152(%rsp), %rsi\n.cfi_def_cfa %rsi, 8\nmov %rsi, %rsp\n.cfi_def_cfa_register %rsp\n"
        "ret\n.cfi_endproc\n.size by_hand, . - by_hand");

void handler(int number) {
    middle(number);
    sink++;
}

KEEP void interrupted(void) {
    raise(SIGUSR1);
    sink++;
}

KEEP void spin(void) {
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (int i = 0; i < 100; i++) sink += i;
        outer();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < start.tv_sec * 1000 + start.tv_nsec / 1000000 + 1000);
}

KEEP void load(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    if (!library) _exit(2);
    void (*call)(void (*)(int)) = (void (*)(void (*)(int)))dlsym(library, "call");
    for (int i = 0; i < 100; i++) {
        call(middle);
        usleep(20000);
    }
}

static void wait_for_byte(void) {
    char byte;
    if (read(0, &byte, 1) != 1) _exit(0);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        outer();
        // Its addresses have names as long as it is there.
        return pause();
    }
    wait_for_byte();
    if (!strcmp(argv[1], "fork") && fork()) {
        pause();
    }
    for (int i = 0; i < 100; i++) {
        if (!strcmp(argv[1], "call") || !strcmp(argv[1], "fork")) outer();
        if (!strcmp(argv[1], "align")) aligned(100);
        if (!strcmp(argv[1], "hand")) by_hand();
        if (!strcmp(argv[1], "signal")) {
            signal(SIGUSR1, handler);
            interrupted();
        }
        if (!strcmp(argv[1], "late")) {
            outer();
            usleep(20000);
        }
    }
    if (!strcmp(argv[1], "spin")) spin();
    if (!strcmp(argv[1], "load")) load(argv[2]);
    if (write(1, "", 1) != 1) return 1;
    wait_for_byte();
    return 0;
}
