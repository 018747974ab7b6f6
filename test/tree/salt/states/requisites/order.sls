third:
  test.nop:
    - order: last

second from the end:
  test.nop:
    - order: -1

first:
  test.nop:
    - order: first

numbered:
  test.nop:
    - order: 5

plain:
  test.nop: []

numbered before:
  test.nop:
    - order: 2
