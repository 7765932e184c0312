/**
 * What the log says of the whole service, whether one process serves or a primary speaks for several: that it listens, leaves, and has
 * left.
 */
import type { AddressInfo } from 'node:net';
import type { Log } from './log.js';
import type { LogMessages } from './log-messages.js';

export class ServiceLines {
  constructor(
    private readonly log: Log,
    private readonly messages: LogMessages,
  ) {}

  listening(address: AddressInfo | string): void {
    const place = typeof address === 'string' ? address : `port ${address.port}`;
    const fields = typeof address === 'string' ? { address } : address;
    this.log.info({ event: 'listening', ...fields }, this.messages.listening(place));
  }

  /** @param open conversations that are not over */
  leaving(open: number): void {
    this.log.info({ event: 'shutdownStarted', open }, this.messages.shutdownStarted(open));
  }

  /** @param cut conversations that did not finish within the grace */
  left(cut: number): void {
    this.log.info({ event: 'shutdownFinished', cut }, this.messages.shutdownFinished(cut));
  }
}
