/*
 * A program whose every event is counted beforehand: it sells as many things as its argument says, and writes to as many pages.
 * Then it reads its standard input to the end, so that it can be kept.
 *
 * Linked statically and to fixed addresses: the guest has no libraries, and a watchpoint names an address.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

/* Put at the address that the cases name by the linker's arguments. */
__attribute__((section(".till"))) volatile unsigned long till = 1;
/* The kernel counts here who listens to the marker. */
__attribute__((section(".probes"))) volatile unsigned short listeners;

__attribute__((noinline)) int sell(int number, const char *thing) {
    till += number;
    if (listeners) {
        __asm__ volatile("1: nop\n"
                         ".pushsection .note.stapsdt,\"\",\"note\"\n"
                         ".balign 4\n"
                         ".4byte 3f-2f, 5f-4f, 3\n"
                         "2: .asciz \"stapsdt\"\n"
                         "3: .balign 4\n"
                         "4: .8byte 1b, 0, listeners\n"
                         ".asciz \"shop\"\n.asciz \"sold\"\n.asciz \"-4@%%edi 8@%%rsi\"\n"
                         "5: .balign 4\n"
                         ".popsection\n" ::"D"(number),
                         "S"(thing));
    }
    return number % 3;
}

__attribute__((noinline)) void sell_nothing(void) { __asm__ volatile(""); }

__attribute__((noinline)) void stock(volatile char *shelves, int pages) {
    for (int page = 0; page < pages; page++) {
        shelves[page * PAGE] = 1;
    }
}

int main(int count, char **arguments) {
    int things = count > 1 ? atoi(arguments[1]) : 77;
    for (int number = 0; number < things; number++) {
        sell(number, number % 2 ? "apple" : "pear");
    }
    sell_nothing();
    void *shelves = mmap(NULL, (size_t)things * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shelves == MAP_FAILED) {
        return 1;
    }
    stock(shelves, things);
    char letter;
    while (read(STDIN_FILENO, &letter, 1) > 0) {
    }
    return 0;
}
