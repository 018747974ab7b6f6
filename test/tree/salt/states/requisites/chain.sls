one:
  test.nop:
    - require:
      - test: two
two:
  test.nop:
    - require:
      - test: three
three:
  test.nop:
    - require:
      - test: four
      - test: five
four:
  test.nop: []
five:
  test.nop:
    - require:
      - test: four
