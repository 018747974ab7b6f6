part:
  test.nop
