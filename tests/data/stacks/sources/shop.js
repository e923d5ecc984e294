// Fails in many ways; prints a JSON object a failure. Type, message and stack are told as recordException tells them.
const tell = async (group, how, run) => {
  try { await run() } catch (e) {
    console.log(JSON.stringify({ group, how, type: e.code ? String(e.code) : e.name, message: e.message, stacktrace: e.stack }))
  }
}
class StockError extends Error { constructor(m, o) { super(m, o); this.name = 'StockError' } }
class Stock {
  #items = {}
  take(name) { return this.#items[name].count }
  static from(text) { return JSON.parse(text) }
  get size() { return undefinedTotal }
}
const reserve = (name) => new Stock().take(name)
function restockJob(names) { return names.map((name) => new Stock().take(name)) }
function charge(order) { throw new StockError(`order ${order} was not paid`, { cause: new RangeError(`terminal ${order}`) }) }
async function pay(order) { await null; return charge(order) }
function checkQuantity(v) { if (!v) throw new TypeError('must not be empty') }
function checkAddress(v) { if (!v) throw new TypeError('must not be empty') }
function walk(n) { return visit(n) }
function visit(n) { return walk(n) }
function depth(n) { if (n === 0) throw new Error(`leaf ${Math.random()} is empty`); return 1 + depth(n - 1) }
const handlers = { orders: () => { throw new Error('orders are closed') }, users: () => { throw new Error('users are closed') } }
const viaLoop = (f) => new Promise((_, reject) => { process.once('uncaughtException', reject); setTimeout(f, 1) })
async function readSettings(file) { return require('fs').readFileSync(file) }
async function fetchRate(port) { return fetch(`http://127.0.0.1:${port}/rate`) }
;(async () => {
  await tell('no such item', 'span event', () => reserve('tea'))
  await tell('no such item', 'job', () => restockJob(['coffee', 'mate']))
  await tell('order not paid', 'span event', () => pay(7))
  await tell('order not paid', 'span event', () => charge(90210))
  await tell('no quantity', 'span event', () => checkQuantity(0))
  await tell('no address', 'span event', () => checkAddress(''))
  await tell('endless tree', 'span event', () => walk(1))
  await tell('endless tree', 'span event', () => { try { visit(1) } catch (e) { throw e } })
  await tell('empty leaf', 'span event', () => depth(0))
  await tell('empty leaf', 'span event', () => depth(30))
  await tell('orders closed', 'span event', () => handlers.orders())
  await tell('users closed', 'span event', () => handlers.users())
  await tell('stock is no JSON', 'span event', () => Stock.from('{"a": }'))
  await tell('stock is no JSON', 'span event', () => Stock.from('<html>'))
  await tell('no total', 'span event', () => new Stock().size)
  await tell('settings missing', 'span event', () => readSettings('/etc/shop/17.json'))
  await tell('settings missing', 'span event', () => readSettings('/srv/no/such.json'))
  await tell('rate refused', 'span event', () => fetchRate(1))
  await tell('timer: null', 'uncaught', () => viaLoop(() => null.price))
  await tell('timer: call', 'uncaught', () => viaLoop(() => { const total = {}; total.sum() }))
})()
