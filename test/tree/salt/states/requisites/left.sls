include:
  - requisites.top_of_all
left:
  test.nop:
    - require:
      - test: top
