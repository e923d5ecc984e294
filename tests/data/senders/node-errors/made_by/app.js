// A checkout service that fails in several ways, with OpenTelemetry's Node SDK, its defaults and winston.
'use strict'
const { NodeSDK } = require('@opentelemetry/sdk-node')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { WinstonInstrumentation } = require('@opentelemetry/instrumentation-winston')
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http')
const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-http')
const { BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs')

const url = process.argv[2]
const sdk = new NodeSDK({
  serviceName: 'checkout',
  traceExporter: new OTLPTraceExporter({ url: url + '/v1/traces' }),
  logRecordProcessors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: url + '/v1/logs' }) })],
  instrumentations: [
    new HttpInstrumentation({ ignoreOutgoingRequestHook: (request) => String(request.path).startsWith('/node') }),
    new WinstonInstrumentation()
  ]
})
sdk.start()

const { trace, SpanStatusCode } = require('@opentelemetry/api')
const { logs, SeverityNumber } = require('@opentelemetry/api-logs')
const http = require('node:http')
const tracer = trace.getTracer('checkout', '1.4.2')
const logger = logs.getLogger('checkout')

class PaymentError extends Error {
  constructor (message, options) { super(message, options); this.name = 'PaymentError' }
}

function charge (way) { throw new PaymentError(way, { cause: new TypeError('limit is 20') }) }

async function inSpan (name, work) {
  return tracer.startActiveSpan(name, async (span) => {
    try { return await work() } catch (e) {
      span.recordException(e)
      span.setStatus({ code: SpanStatusCode.ERROR, message: e.message })
      throw e
    } finally { span.end() }
  })
}

// as the conventions for exceptions on log records say
function log (e) {
  logger.emit({
    severityNumber: SeverityNumber.ERROR, eventName: 'exception',
    attributes: { 'exception.type': e.name, 'exception.message': e.message, 'exception.stacktrace': e.stack }
  })
}

const ways = {
  async span_event () { await inSpan('charge', () => charge('span_event')) },
  async nested_spans () { await inSpan('order', () => inSpan('pay', () => inSpan('charge', () => charge('nested_spans')))) },
  async log_record () { try { charge('log_record') } catch (e) { log(e) } },
  async both () {
    await inSpan('order', async () => {
      try { await inSpan('charge', () => charge('both')) } catch (e) { log(e); throw e }
    })
  },
  async logged_outside () { try { await inSpan('charge', () => charge('logged_outside')) } catch (e) { log(e) } },
  async twenty_spans () {
    await inSpan('order', async () => {
      for (let i = 0; i < 20; i++) {
        try { await inSpan('charge', () => charge('twenty_spans')) } catch (e) { log(e) }
      }
    })
  },
  async request () { await fetchFrom('/pay') }
}

const server = http.createServer(async (request, response) => {
  try { await inSpan('pay', () => charge('request')) } catch (e) { log(e); response.statusCode = 500 }
  response.end()
})

function fetchFrom (path) {
  return new Promise((resolve, reject) => {
    http.get({ port: server.address().port, path }, (response) => { response.resume(); response.on('end', resolve) }).on('error', reject)
  })
}

server.listen(0, '127.0.0.1', async () => {
  for (const way of Object.values(ways)) { try { await way() } catch (e) { /* it is told */ } }
  server.close()
  await sdk.shutdown()
})
