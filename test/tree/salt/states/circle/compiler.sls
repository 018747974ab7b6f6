include:
  - circle.checkout

compiler:
  pkg.installed:
    - name: golang-go
