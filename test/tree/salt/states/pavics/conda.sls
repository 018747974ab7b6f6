bird:
  user.present:
    - home: /var/lib/birdhouse
    - system: True

/opt/birdhouse:
  file.directory:
    - user: bird
    - group: bird
    - makedirs: True
    - require:
      - user: bird

miniconda:
  file.managed:
    - name: /opt/birdhouse/miniconda.sh
    - source: https://repo.example.org/Miniconda3-latest-Linux-x86_64.sh
    - skip_verify: True
    - mode: 755
    - require:
      - file: /opt/birdhouse
  cmd.run:
    - name: bash /opt/birdhouse/miniconda.sh -b -p /opt/birdhouse/conda
    - runas: bird
    - creates: /opt/birdhouse/conda
    - require:
      - file: miniconda

/opt/birdhouse/conda/.condarc:
  file.managed:
    - contents: |
        channels: [conda-forge]
    - user: bird
    - require:
      - cmd: miniconda

conda environment:
  cmd.run:
    - name: conda/bin/conda env update -f environment.yml
    - cwd: /opt/birdhouse
    - runas: bird
    - timeout: 1800
    - onchanges:
      - file: /opt/birdhouse/environment.yml
    - require:
      - cmd: miniconda

/opt/birdhouse/environment.yml:
  file.managed:
    - source: salt://pavics/files/environment.yml
    - user: bird
    - require:
      - file: /opt/birdhouse
