/**
 * TimeClient: asks a time service on another machine for the time of day. Knows nothing of connections.
 */
import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { timeOfDayIn } from './time-protocol.js';

/**
 * The injection token of the client that a {@link TimeClient} asks with:
 * `ClientsModule.register([{ name: TIME_SERVICE, customClass: LineClient, options: { host, port: 45000 } }])`.
 */
export const TIME_SERVICE = Symbol('time service');

/** Asks a time service, by the client that is injected as {@link TIME_SERVICE}. */
@Injectable()
export class TimeClient {
  /** @param service a `LineClient` of the service */
  constructor(@Inject(TIME_SERVICE) private readonly service: ClientProxy) {}

  /**
   * The service's time of day, `hh:mm:ss`, 00–23 hours, in the service's zone.
   * @throws {LineError} `ERR_LINE_CONNECT`, `ERR_LINE_TIMEOUT`, … if no reply comes
   * @throws {Error} if the reply is no time, as when the service is full
   */
  async timeOfDay(): Promise<string> {
    const reply = await firstValueFrom(this.service.send<string>('TIME', ''));
    const timeOfDay = timeOfDayIn(reply);
    if (timeOfDay !== undefined) return timeOfDay;
    throw new Error(`The reply to TIME was no time but ${JSON.stringify(reply)}.`);
  }
}
