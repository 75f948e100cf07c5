namespace shop {

struct Base {
  int number = 4;
};

class Item : public Base {
 public:
  bool sold = true;
  int price = 30;
  static int count;
  ~Item() {}
};

int Item::count = 1;

__attribute__((noinline)) int sell(Item &item, bool now, Item copy) { return item.price + now + copy.price; }

struct Till {
  int coins = 6;
  __attribute__((noinline)) int count(int extra) { return coins + extra; }
};

}  // namespace shop

int main() {
  shop::Item item;
  shop::Till till;
  return shop::sell(item, true, item) + till.count(3) == 70 ? 0 : 1;
}
