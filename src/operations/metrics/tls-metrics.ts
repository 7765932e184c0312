/**
 * TlsMetrics: until when the certificate is valid that new clients are shown. Without TLS there is none to tell of.
 */
import { Injectable, Optional } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { TlsCertificate } from '../tls/tls-certificate.js';

@Injectable()
export class TlsMetrics {
  constructor(registry: Registry, @Optional() certificate?: TlsCertificate) {
    if (certificate === undefined) return;
    const expiry = new Gauge({
      name: 'time_service_tls_certificate_expiry_timestamp_seconds',
      help: 'When the TLS certificate expires, in seconds since 1970.',
      aggregator: 'min',
      registers: [],
      collect() {
        this.set(certificate.validTo.getTime() / 1_000);
      },
    });
    registry.registerMetric(expiry);
  }
}
