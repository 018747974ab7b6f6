default-jre-headless:
  pkg.installed

elastic repository:
  pkgrepo.managed:
    - name: deb [signed-by=/etc/apt/keyrings/elastic.asc] https://artifacts.elastic.co/packages/8.x/apt stable main
    - file: /etc/apt/sources.list.d/elastic.list
    - key_url: https://artifacts.elastic.co/GPG-KEY-elasticsearch

elasticsearch:
  pkg.installed:
    - hold: True
    - require:
      - pkgrepo: elastic repository
      - pkg: default-jre-headless
  service.running:
    - enable: True
    - watch:
      - file: /etc/elasticsearch/elasticsearch.yml
      - file: /etc/elasticsearch/jvm.options.d/heap.options

/etc/elasticsearch/elasticsearch.yml:
  file.managed:
    - contents: |
        cluster.name: shop
        network.host: 127.0.0.1
    - require:
      - pkg: elasticsearch

/etc/elasticsearch/jvm.options.d/heap.options:
  file.managed:
    - contents:
      - -Xms1g
      - -Xmx1g
    - makedirs: True
    - require:
      - pkg: elasticsearch
