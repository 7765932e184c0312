/**
 * The story of the process: read the settings, listen, and close in order when told to.
 */
import { createRequire } from 'node:module';
import './operations/config/given-environment.js'; // before what reads the .env file
import { ConfigModule } from '@nestjs/config';
import { AppModule } from './app.module.js';
import { createService, tlsFilesOf, tlsOf, useLog } from './create-service.js';
import { LineError, LineServer } from './line-transport/index.js';
import { checkedSettings } from './operations/checked-settings.js';
import { closeOnSignals } from './operations/close-on-signals.js';
import type { Settings } from './operations/config/settings.js';
import { reloadOnHangup } from './operations/reload-on-hangup.js';
import { StartError } from './operations/start-error.js';
import { loadSystemd, systemdOf } from './operations/systemd/load-systemd.js';
import type { Systemd } from './operations/systemd/systemd.js';

const require = createRequire(import.meta.url);

async function bootstrap(): Promise<void> {
  await ConfigModule.envVariablesLoaded; // the .env file is read
  const given = checkedSettings(process.env, process.argv.slice(2)); // before Nest, which would wrap a fault in a stack trace
  const systemd = loadSystemd();
  if (given.WORKERS > 1) await loadWorkers().serveWithWorkers(given, systemd);
  else if (given.MANAGEMENT_PORT === undefined) await serve(given, systemd);
  else await serveManaged(given, systemd);
  systemd?.ready();
}

async function serve(given: Settings, systemd?: Systemd): Promise<void> {
  const app = await createService(given, systemdOf(systemd));
  closeOnSignals(app, given.SHUTDOWN_DELAY_MS, () => systemd?.stopping());
  reloadOnHangup(app, tlsFilesOf(app, given), systemd);
  await app.listen();
}

/** With the management port, which listens first: it tells that the service is not ready yet, and until the last reply is delivered. */
async function serveManaged(given: Settings, systemd?: Systemd): Promise<void> {
  const {
    createManagement,
    LineServiceState,
    LineSourceModule,
    listenForManagement,
    ManagementModule,
  } = loadManagement();
  const imports = [...tlsOf(given), ...systemdOf(systemd), ManagementModule.of(LineSourceModule)];
  const app = await createManagement(AppModule.with(imports));
  useLog(app);
  closeOnSignals(app, given.SHUTDOWN_DELAY_MS, () => {
    systemd?.stopping();
    app.get(LineServiceState, { strict: false }).leave();
  });
  reloadOnHangup(app, tlsFilesOf(app, given), systemd);
  try {
    await listenForManagement(app, given);
    app.connectMicroservice({ strategy: app.get(LineServer) });
    await app.startAllMicroservices();
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** Express, terminus and prom-client are loaded where they are needed, and one file after the other, as main.ts does. */
function loadManagement(): typeof import('./operations/management/index.js') {
  return require('./operations/management/index.js');
}

function loadWorkers(): typeof import('./workers.js') {
  return require('./workers.js');
}

// No top-level await: what is required must not have one.
bootstrap().catch((error: unknown) => {
  const isPlain = error instanceof StartError || error instanceof LineError;
  console.error(isPlain ? error.message : error);
  process.exitCode = 1;
  process.channel?.unref(); // a worker's channel to its primary would keep it
});
