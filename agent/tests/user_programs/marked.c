/* A static marker for each form in which an assembler writes where an argument is. */
#define MARK(name, arguments)                                                                                          \
    "1: nop\n"                                                                                                         \
    ".pushsection .note.stapsdt,\"\",\"note\"\n"                                                                       \
    ".balign 4\n"                                                                                                      \
    ".4byte 3f-2f, 5f-4f, 3\n"                                                                                         \
    "2: .asciz \"stapsdt\"\n"                                                                                          \
    "3: .balign 4\n"                                                                                                   \
    "4: .8byte 1b, 0, 0\n"                                                                                             \
    ".asciz \"shop\"\n.asciz \"" name "\"\n.asciz \"" arguments "\"\n"                                                 \
    "5: .balign 4\n"                                                                                                   \
    ".popsection\n"

static volatile int total = -42;
static volatile struct {
    long price;
    unsigned char number;
} item = {7000000000, 200};
static volatile int prices[] = {10, 20, -30, 40};

int main(void) {
    __asm__ volatile(MARK("registers", "8@%%rdi -4@%%esi -2@%%ax 1@%%dl -1@%%dh 8@%%r9") ::"D"(1L << 40), "S"(-5),
                     "a"(0x1fffe), "d"(0x80ff), "r"(0L)
                     : "r9");
    __asm__ volatile(MARK("constants", "-4@$-9 8@$0x10 4@$-1 -8@$-1") ::);
    __asm__ volatile(MARK("memory", "-4@(%%rdi) -4@8(%%rdi) -4@(%%rdi,%%rsi,4) -4@-4(%%rdi,%%rsi,4) -4@(,%%rax,4)") ::"D"(
                         prices),
                     "S"(3L), "a"((unsigned long)prices / 4));
    __asm__ volatile(MARK("variables", "-4@total(%%rip) 8@item(%%rip) 1@item+8(%%rip) -4@4+prices(%%rip) 4@nothing(%%rip)") ::
                         "m"(total));
    return item.number == 0;
}
