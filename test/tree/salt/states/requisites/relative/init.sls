include:
  - .part
  - ..typed

whole:
  test.nop:
    - require:
      - sls: requisites.relative.part
