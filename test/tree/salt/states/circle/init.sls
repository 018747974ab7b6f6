include:
  - circle.compiler

engine:
  pkg.installed:
    - require:
      - pkg: compiler
