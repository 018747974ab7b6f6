top:
  test:
    - nop
