/**
 * The story of a service of several processes: the primary supervises, its workers serve. Both are this program, and read the same
 * settings. Loaded only where WORKERS is more than 1.
 */
import cluster from 'node:cluster';
import { createRequire } from 'node:module';
import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createService, useLog } from './create-service.js';
import { closeOnSignals } from './operations/close-on-signals.js';
import { PrimaryLink } from './operations/cluster/primary-link.js';
import { PrimaryModule } from './operations/cluster/primary.module.js';
import { sharesOf } from './operations/cluster/shares.js';
import { Supervisor } from './operations/cluster/supervisor.js';
import { WorkerModule } from './operations/cluster/worker.module.js';
import type { Settings } from './operations/config/settings.js';
import { systemdOf } from './operations/systemd/load-systemd.js';
import type { Systemd } from './operations/systemd/systemd.js';

const require = createRequire(import.meta.url);

export function serveWithWorkers(given: Settings, systemd?: Systemd): Promise<void> {
  return cluster.isPrimary ? supervise(given, systemd) : serveAsWorker(given);
}

async function supervise(given: Settings, systemd: Systemd | undefined): Promise<void> {
  const app = await createPrimary(given, systemdOf(systemd));
  const supervisor = app.get(Supervisor);
  closeOnSignals(app, given.SHUTDOWN_DELAY_MS, () => {
    systemd?.stopping();
    supervisor.leave();
  });
  const restart = (): Promise<void> => supervisor.restart();
  process.on('SIGHUP', () => void (systemd?.reload(restart) ?? restart()));
  try {
    await supervisor.start();
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** With the management port, which listens first, where it is set. */
async function createPrimary(
  given: Settings,
  imports: DynamicModule[],
): Promise<INestApplicationContext> {
  if (given.MANAGEMENT_PORT === undefined) {
    const app = await NestFactory.createApplicationContext(PrimaryModule.with(imports), {
      bufferLogs: true,
    });
    useLog(app);
    return app;
  }
  const management: typeof import('./operations/management/index.js') = require('./operations/management/index.js');
  const {
    WorkersSourceModule,
  }: typeof import('./operations/cluster/workers-source.module.js') = require('./operations/cluster/workers-source.module.js');
  const { createManagement, listenForManagement, ManagementModule } = management;
  const source = ManagementModule.of(WorkersSourceModule);
  const app = await createManagement(PrimaryModule.with([...imports, source]));
  useLog(app);
  await listenForManagement(app, given);
  return app;
}

async function serveAsWorker(given: Settings): Promise<void> {
  const link = new PrimaryLink(given.MAX_UNREAD_BYTES);
  Object.assign(process.env, sharesOf(given)); // the settings are read once more, by injection
  const metrics = given.MANAGEMENT_PORT === undefined ? undefined : loadMetrics();
  const imports = metrics === undefined ? [] : [{ module: metrics.MetricsModule }];
  const app = await createService(given, [WorkerModule.of(link), ...imports]);
  await app.listen();
  link.serve(app, async () => metrics?.metricsOf(app) ?? []);
}

function loadMetrics(): typeof import('./operations/cluster/worker-metrics.js') {
  return require('./operations/cluster/worker-metrics.js');
}
