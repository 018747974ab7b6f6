include:
  - base: examined.lib.two
  - examined.lib.*
all:
  test.nop:
    - order: first
    - saltenv: base
