include:
  - requisites.typed
  - requisites.by_name

all of both:
  test.nop:
    - require:
      - sls: requisites.typed
      - sls: requisites.by_name
