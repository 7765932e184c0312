/**
 * LineServiceState: the state of a service that is this process, from its line server.
 */
import { Injectable } from '@nestjs/common';
import { LineServer } from '../../line-transport/index.js';
import type { ServiceState } from './service-state.js';

@Injectable()
export class LineServiceState implements ServiceState {
  #isListening = false;
  #isLeaving = false;

  constructor(private readonly server: LineServer) {
    server.status.subscribe((status) => {
      this.#isListening = status === 'listening';
    });
  }

  get isListening(): boolean {
    return this.#isListening;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get open(): number {
    return this.server.connections.size;
  }

  get max(): number {
    return this.server.stats().connections.max;
  }

  /** From now on it is not ready; to be called when a signal came, while it still serves. */
  leave(): void {
    this.#isLeaving = true;
  }
}
