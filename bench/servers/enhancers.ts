/**
 * A guard, an interceptor and a pipe that do nothing but be there.
 */
import {
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import type { Observable } from 'rxjs';

@Injectable()
export class LetIn implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
export class PassThrough implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Injectable()
export class PassOn implements PipeTransform {
  transform(value: unknown): unknown {
    return value;
  }
}
