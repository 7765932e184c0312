/**
 * Conversations in memory: through the whole pipeline, and no port.
 */
import type { INestMicroservice, Provider, Type } from '@nestjs/common';
import type { LineServer, LineServerOptions } from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { createLineApplication } from './line-application.js';

/** What a client is told that sends these lines in one go and then closes its side. */
export function talk(server: LineServer, ...lines: string[]): Promise<string[]> {
  return new LineConversation(server)
    .send(...lines)
    .end()
    .rest();
}

/**
 * An application that answers lines and does not listen.
 *
 * @param prepare what is done to it before it is initialised: global enhancers, hooks
 */
export async function prepareLineApplication(
  controllers: Type[],
  providers: Provider[] = [],
  prepare: (app: INestMicroservice) => void = () => undefined,
  options: LineServerOptions = {},
): Promise<LineServer> {
  const { app, server } = await createLineApplication(controllers, options, providers);
  prepare(app);
  await app.init();
  return server;
}
