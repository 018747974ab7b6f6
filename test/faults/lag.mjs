// Loaded into the master by NODE_OPTIONS: how long its event loop is held up, once a second, in milliseconds.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
setInterval(() => {
  const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) =>
    Math.round(ns / 1e6),
  );
  const cpu = process.cpuUsage();
  const seconds = Math.round((cpu.user + cpu.system) / 1e6);
  writeFileSync('/var/lib/conductor/master/lag.json', JSON.stringify({ p50, p99, max, seconds }));
}, 1000).unref();
