/**
 * connectLines: adds the line server to an HTTP application. With `inheritAppConfig` the application's global pipes, guards,
 * filters and interceptors hold for lines too; without it a hybrid application has them for HTTP alone.
 */
import type { INestApplication } from '@nestjs/common';
import { LineServer } from '../../src/line-transport/index.js';

export async function connectLines(app: INestApplication): Promise<void> {
  app.connectMicroservice({ strategy: app.get(LineServer) }, { inheritAppConfig: true });
  await app.startAllMicroservices();
}
