import { Flags } from '@oclif/core'
import { serveGate, type ServeResult } from '../../lib/gate/serve.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag } from '../../lib/terminal/flags.js'

/** Nobody waits longer for the gate's answer, and a host that went silent must not hide the next one. */
const GATE_NEEDS = { maxConnections: 12, connectWithinMs: 3_000, finishesStatements: true }

export default class GateServe extends BaseCommand<ServeResult> {
  static override summary = 'run the gate: the HTTPS server at which data arrives'
  static override description =
    'Runs until SIGTERM or SIGINT, then finishes what it took in, for ten seconds at most, and ends with ' +
    '143 or 130. The log goes to stderr, one JSON document a line, without secrets. The protocol is ' +
    'described in docs/protocol.md.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --address 127.0.0.1 --port 8443 --self-signed',
    '<%= config.bin %> <%= command.id %> --address 0.0.0.0 --tls-cert gate.crt --tls-key gate.key --workers 4 --metrics-port 9464',
  ]

  static override flags = {
    address: Flags.string({ description: 'address to listen on', default: '127.0.0.1' }),
    port: Flags.integer({
      description: 'port to listen on; 0 takes a free one',
      default: 8443,
      min: 0,
      max: 65_535,
    }),
    'tls-cert': Flags.string({
      description: 'certificate, with those of its authorities (PEM)',
      helpValue: 'FILE',
      dependsOn: ['tls-key'],
    }),
    'tls-key': Flags.string({
      description: 'private key of the certificate (PEM), readable by you alone',
      helpValue: 'FILE',
      dependsOn: ['tls-cert'],
    }),
    'self-signed': Flags.boolean({
      description: 'use a certificate of its own, made once and kept in CLEVERCTL_HOME/gate',
    }),
    'insecure-http': Flags.boolean({
      description: 'no TLS, on the loopback address only: for a proxy on this machine that has it',
    }),
    workers: Flags.integer({
      description: 'processes that share the port',
      default: 1,
      min: 1,
      max: 64,
    }),
    'metrics-port': Flags.integer({
      description: 'port of the loopback address for /metrics (Prometheus)',
      min: 0,
      max: 65_535,
    }),
    'trust-proxy': Flags.string({
      description: 'network of proxies whose X-Forwarded-For names the sender',
      helpValue: 'CIDR',
      multiple: true,
    }),
    'token-ttl': durationFlag({
      description: "life of a device's token, an hour at most [default: 15m]",
    }),
    limit: Flags.string({
      description:
        'requests in ten seconds by address, key or device, or failures by address; 0 lifts the limit',
      helpValue: 'address|key|device|failures=COUNT',
      multiple: true,
      exclusive: ['no-limits'],
    }),
    'no-limits': Flags.boolean({
      description: 'do not limit requests by address, key and device; for measuring',
    }),
  }

  /** Ten seconds to finish, and what it takes to end the process. */
  protected override readonly graceMs = 12_000

  protected async execute(): Promise<ServeResult> {
    const { flags } = await this.parse(GateServe)
    const workspace = await this.workspace(flags, GATE_NEEDS)
    return serveGate(workspace, {
      address: flags.address,
      port: flags.port,
      tls:
        flags['tls-cert'] && flags['tls-key']
          ? { cert: flags['tls-cert'], key: flags['tls-key'] }
          : undefined,
      selfSigned: flags['self-signed'],
      insecureHttp: flags['insecure-http'],
      workers: flags.workers,
      metricsPort: flags['metrics-port'],
      trustProxy: flags['trust-proxy'] ?? [],
      limits: flags['no-limits'] ? 'none' : (flags.limit ?? []),
      tokenTtlMs: flags['token-ttl'],
      logLevel: flags.quiet ? 'warn' : flags.verbose ? 'debug' : 'info',
    })
  }

  protected render(result: ServeResult): void {
    this.screen.facts([
      ['address', result.address],
      ['port', String(result.port)],
      ['workers', String(result.workers)],
    ])
  }
}
