#include <stdint.h>
#include <unistd.h>

enum state { CLOSED, OPEN = 7 };

struct label {
  int size;
  char text[12];
};

struct order {
  int id;
  unsigned urgent : 1, tries : 7;
  char name[16];
  uint16_t parts[3];
  enum state state;
  union {
    long amount;
    char bytes[8];
  };
  struct order *next;
  struct label label;
};

struct pair {
  int first;
  int second;
};

struct wide {
  long a, b, c;
};

__attribute__((noinline)) int serve(struct order *order, double load, struct pair both, signed char mode, const char *who) {
  return order->id + (int)load + both.second + mode + who[0];
}

__attribute__((noinline)) long many(int a, int b, int c, int d, int e, int f, short g, struct wide h) {
  return a + b + c + d + e + f + g + h.c;
}

__attribute__((noinline)) struct wide produce(int seed) {
  struct wide made = {seed, seed, seed};
  return made;
}

__attribute__((noinline)) int branches(int which) {
  int result = 0;
  if (which > 1)
    result = 5; /* the tests name this line */
  return result;
}

int main(void) {
  struct order next = {.id = 2, .urgent = 0, .tries = 9, .name = "second", .amount = 77};
  struct order order = {.id = 41, .urgent = 1, .tries = 100, .name = "first", .parts = {1, 2, 3}, .state = OPEN,
                        .amount = -5, .next = &next, .label = {3, "abc"}};
  struct pair both = {10, 20};
  struct wide wide = {1, 2, 3};
  serve(&order, 2.5, both, -3, "customer");
  many(1, 2, 3, 4, 5, 6, -7, wide);
  produce(11);
  branches(1);
  branches(2);
  return 0;
}
