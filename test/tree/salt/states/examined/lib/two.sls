include:
  - .one
two:
  test.nop:
    - require:
      - sls: examined.lib.one
