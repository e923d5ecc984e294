// A checkout service with OpenTelemetry's Node SDK over OTLP/JSON: http instrumentation, pino and winston logs.
'use strict'
const { NodeSDK } = require('@opentelemetry/sdk-node')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { PinoInstrumentation } = require('@opentelemetry/instrumentation-pino')
const { WinstonInstrumentation } = require('@opentelemetry/instrumentation-winston')
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http')
const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-http')
const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-http')
const { PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics')
const { BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs')

const url = process.argv[2]
const sdk = new NodeSDK({
  serviceName: 'checkout',
  traceExporter: new OTLPTraceExporter({ url: url + '/v1/traces' }),
  logRecordProcessors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: url + '/v1/logs' }) })],
  metricReaders: [new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: url + '/v1/metrics' }), exportIntervalMillis: 2000, exportTimeoutMillis: 1500
  })],
  instrumentations: [
    // the exporter's own requests have no span
    new HttpInstrumentation({ ignoreOutgoingRequestHook: (request) => String(request.path).startsWith('/node') }),
    new PinoInstrumentation(), new WinstonInstrumentation()
  ]
})
sdk.start()

const { metrics, trace, SpanStatusCode } = require('@opentelemetry/api')
const http = require('node:http')
const pino = require('pino')({ level: 'trace' }, require('node:fs').createWriteStream('/dev/null'))
const winston = require('winston').createLogger({
  level: 'silly', transports: [new (require('winston').transports.Console)({ silent: true })]
})
const tracer = trace.getTracer('checkout', '1.4.2')
const meter = metrics.getMeter('checkout')
const orders = meter.createCounter('checkout.orders', { unit: '{order}' })
const total = meter.createHistogram('checkout.total', { unit: 'EUR', advice: { explicitBucketBoundaries: [1, 5, 10, 50] } })
const big = meter.createUpDownCounter('checkout.ledger')
const lag = meter.createObservableGauge('checkout.lag', { unit: 's' })
lag.addCallback((result) => result.observe(0.25, { 'messaging.system': 'kafka' }))

class PaymentError extends Error {
  constructor (message, options) { super(message, options); this.name = 'PaymentError'; this.code = 'declined' }
}

async function charge (order) {
  return tracer.startActiveSpan('charge', { attributes: { 'order.id': order.id, 'order.total': order.total, 'order.nonce': 2 ** 64 } }, async (span) => {
    try {
      await new Promise((resolve) => setTimeout(resolve, 4))
      if (order.total > 20) throw new PaymentError('card was declined', { cause: new TypeError('limit is 20') })
    } catch (e) {
      span.recordException(e)
      span.setStatus({ code: SpanStatusCode.ERROR, message: e.message })
      throw e
    } finally { span.end() }
  })
}

const server = http.createServer(async (request, response) => {
  const order = { id: Number(request.url.split('/').at(-1)), total: request.url.startsWith('/big') ? 21.5 : 3.5 }
  const log = pino.child({ order })
  try {
    log.debug({ tags: ['new', 'web'], nested: { deep: { er: true } } }, 'order came in')
    await charge(order)
    orders.add(1, { 'order.kind': 'web' })
    total.record(order.total)
    log.info({ took: 4.25, retries: 0 }, 'ordered %d', order.id)
    winston.info('ordered', { order })
    response.writeHead(200).end('ok')
  } catch (err) {
    log.error(err, 'order failed')
    winston.error('order failed', { order, reason: err.message })
    winston.verbose('giving up')
    response.writeHead(500).end('failed')
  }
})

const get = (path) => new Promise((resolve) => {
  http.get({ host: '127.0.0.1', port: server.address().port, path }, (r) => { r.resume(); r.on('end', resolve) })
})

server.listen(0, '127.0.0.1', async () => {
  big.add(9007199254740991)
  for (const path of ['/order/17', '/order/18', '/big/19', '/order/20']) {
    await get(path)
    await new Promise((resolve) => setTimeout(resolve, 1200))
  }
  pino.fatal({ obj: null, when: new Date(0) }, 'stopping')
  await new Promise((resolve) => http.get('http://127.0.0.1:1/gone').on('error', resolve))
  server.close()
  await sdk.shutdown()
})
