en_US.UTF-8:
  locale.present: []

he_IL.UTF-8:
  locale.present: []

default locale:
  locale.system:
    - name: en_US.UTF-8
    - require:
      - locale: en_US.UTF-8
