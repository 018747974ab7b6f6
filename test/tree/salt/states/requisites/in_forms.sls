final:
  test.nop: []

a:
  test.nop:
    - require_in:
      - test: final

b:
  test.nop:
    - watch_in:
      - test: final

c:
  test.nop:
    - onchanges_in:
      - test: final

d:
  test.nop:
    - onfail_in:
      - test: rescue

rescue:
  test.nop: []
