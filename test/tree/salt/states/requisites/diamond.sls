include:
  - requisites.left
  - requisites.right

bottom:
  test.nop:
    - require:
      - test: left
      - test: right
