include:
  - requisites.top_of_all
right:
  test.nop:
    - require:
      - test: top
