# Fails in many ways and prints each failure as it would be sent: group, how, type, message and stack, in base64.
require "base64"
require "json"
require "sequel"
require "sinatra/base"
require "rack/mock"

def sent(group, how, error)
  stack = case how
          when /bottom/ then error.full_message(highlight: false, order: :bottom)
          when /highlighted/ then error.full_message(highlight: true, order: :top)
          when /backtrace/ then error.backtrace.join("\n")
          else error.full_message(highlight: false, order: :top).encode("UTF-8", invalid: :replace, undef: :replace)
          end
  puts ["SENT", group, how, *[error.class.to_s, error.message, stack].map { |text| Base64.strict_encode64(text) }].join("\t")
end

def failing(group, how = "span event")
  yield
rescue Exception => error # rubocop:disable Lint/RescueException
  sent(group, how, error)
end

class StockError < StandardError; end

class Stock
  # EDIT
  def take(sku, count)
    raise StockError, "only 3 of #{sku} left,\nnot #{count}" if count > 3
  end

  def take_all(skus, count)
    skus.each { |sku| [count].map { |one| take(sku, one) } }
  end

  def price(sku)
    { "tea" => 1 }.fetch(sku)
  rescue KeyError
    raise StockError, "no price of #{sku}"
  end

  def deep(depth)
    depth.zero? ? raise(ArgumentError, "bottom of shelf #{rand(1000)}") : deep(depth - 1)
  end

  def endless(depth) = endless(depth + 1) + 1

  def read(text) = JSON.parse(text)

  def share(counts) = counts.sum { |count| 100 / count }

  def query(table) = Sequel.sqlite[table.to_sym].all

  def missing(name) = nil.public_send(:"price_#{name}")
end

class Routes < Sinatra::Base
  set :show_exceptions, false
  set :raise_errors, true
  set :host_authorization, permitted_hosts: []
  get("/cart/:id") { cart.total }
  get("/order/:id") { order.total }

  def cart = nil

  def order = Struct.new(:lines) { def total = lines.sum }.new(nil)
end

seed = ARGV.fetch(0).to_i
stock = Stock.new
failing("ruby-take") { stock.take("tea-#{seed}", 4 + seed) }
failing("ruby-take", "log record, order bottom") { stock.take_all(["milk-#{seed}"], 6 + seed) }
failing("ruby-take", "log record, highlighted") { stock.take("a", 5) }
failing("ruby-take", "log record, backtrace joined") { stock.take_all(["x"], 77) }
failing("ruby-price") { stock.price("milk-#{seed}") }
failing("ruby-price", "log record, order bottom") { stock.price("soap-#{seed}") }
failing("ruby-deep") { stock.deep(2 + seed) }
failing("ruby-deep", "log record, backtrace joined") { stock.deep(30 + seed) }
failing("ruby-endless") { stock.endless(seed) }
failing("ruby-json") { stock.read("{\"a\": #{seed}") }
failing("ruby-share") { stock.share([1, 0, seed]) }
failing("ruby-query") { stock.query("prices_#{seed}") }
failing("ruby-missing") { stock.missing("tea") }
%w[cart order].each do |route|
  failing("ruby-route-#{route}") { Rack::MockRequest.new(Routes).get("/#{route}/#{seed}") }
end
