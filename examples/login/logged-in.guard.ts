/**
 * LoggedInGuard: lets the lines of those through who have logged in.
 */
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import type { LineContext } from '../../src/line-transport/index.js';

export type LoginSession = { user: string; failures: number };

export class LoggedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { session } = context.switchToRpc().getContext<LineContext<LoginSession>>();
    if (session.user !== undefined) return true;
    throw new RpcException('LOGIN <name> <password> first');
  }
}
