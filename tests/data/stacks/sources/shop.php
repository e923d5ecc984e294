<?php
// Fails in many ways and prints each failure as it would be sent: group, how, type, message and stack, in base64.
declare(strict_types=1);

namespace App;

require_once 'Symfony/Component/EventDispatcher/autoload.php';
require_once 'Symfony/Component/HttpKernel/autoload.php';

use Symfony\Component\EventDispatcher\EventDispatcher;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\RequestStack;
use Symfony\Component\HttpKernel\Controller\ControllerResolver;
use Symfony\Component\HttpKernel\HttpKernel;

/** The layout of printStackTrace, as OpenTelemetry PHP sends it. */
function java_like(\Throwable $error): string
{
    $text = '';
    $outer = [];
    for ($label = ''; $error !== null; $error = $error->getPrevious()) {
        $message = $error->getMessage();
        $text .= $label . strtr($error::class, '\\', '.') . ($message === '' ? '' : ": $message");
        [$lines, $place] = [[], basename($error->getFile()) . ':' . $error->getLine()];
        foreach ([...$error->getTrace(), ['function' => '{main}']] as $call) {
            $name = (isset($call['class']) ? $call['class'] . '.' : '') . $call['function'];
            $lines[] = strtr("\tat $name($place)", '\\', '.');
            $place = isset($call['file']) ? basename($call['file']) . ':' . $call['line'] : 'Unknown Source';
        }
        $shared = 0;
        while ($shared < min(count($lines), count($outer))
            && $lines[count($lines) - 1 - $shared] === $outer[count($outer) - 1 - $shared]) {
            $shared++;
        }
        $own = array_slice($lines, 0, count($lines) - $shared);
        $text .= "\n" . implode("\n", $shared ? [...$own, "\t... $shared more"] : $own);
        [$outer, $label] = [$lines, "\nCaused by: "];
    }
    return $text;
}

function failing(string $group, callable $run, string $how = 'log record'): void
{
    try {
        $run();
    } catch (\Throwable $error) {
        $stack = $how === 'span event'
            ? java_like($error)
            : ($how === 'log record, trace only' ? $error->getTraceAsString() : (string) $error);
        $stack = $how === 'log record, fatal' ? "PHP Fatal error:  Uncaught $stack\n  thrown" : $stack;
        $parts = array_map(base64_encode(...), [get_class($error), $error->getMessage(), $stack]);
        echo implode("\t", ['SENT', $group, $how, ...$parts]), "\n";
    }
}

class StockException extends \RuntimeException
{
}

class Stock
{
    // EDIT
    public function take(string $sku, int $count): void
    {
        if ($count > 3) {
            throw new StockException("only 3 of $sku left,\nnot $count");
        }
    }

    public function takeAll(array $skus, int $count): void
    {
        array_map(fn ($sku) => $this->take($sku, $count), $skus);
    }

    public function price(string $sku): int
    {
        try {
            return $this->fetch($sku);
        } catch (\OutOfBoundsException $error) {
            throw new StockException("no price of $sku", 3, $error);
        }
    }

    private function fetch(string $sku): int
    {
        throw new \OutOfBoundsException("no such key: $sku");
    }

    public function deep(int $depth): int
    {
        return $depth === 0 ? throw new \LogicException('bottom') : $this->deep($depth - 1);
    }

    public static function share(array $counts): int
    {
        return array_sum(array_map(function ($count) {
            return intdiv(100, $count);
        }, $counts));
    }

    public function when(string $text): \DateTime
    {
        return new \DateTime($text);
    }

    public function query(string $table): array
    {
        $db = new \PDO('sqlite::memory:');
        return $db->query("select * from $table")->fetchAll();
    }

    public function typed(mixed $count): void
    {
        $this->take('tea', $count);
    }
}

class Routes
{
    public function cart(): never
    {
        throw new \DomainException('no total');
    }

    public function order(): never
    {
        throw new \DomainException('no total');
    }
}

$seed = (int) $argv[1];
$stock = new Stock();
failing('php-take', fn () => $stock->take("tea-$seed", 4 + $seed));
failing('php-take', fn () => $stock->takeAll(["milk-$seed"], 40 + $seed));
failing('php-take', fn () => $stock->takeAll(["milk-$seed"], 9), 'span event');
failing('php-take', fn () => $stock->take("soap-$seed", 9), 'log record, fatal');
failing('php-price', fn () => $stock->price("tea-$seed"));
failing('php-price', fn () => $stock->price("milk-$seed"), 'span event');
failing('php-deep', fn () => $stock->deep($seed));
failing('php-deep', fn () => $stock->deep(20 + $seed), 'span event');
failing('php-share', fn () => Stock::share([1, 0, $seed]));
failing('php-share', fn () => Stock::share([0]), 'span event');
failing('php-when', fn () => $stock->when("never-$seed"));
failing('php-query', fn () => $stock->query("prices_$seed"));
failing('php-typed', fn () => $stock->typed("x$seed"));
$kernel = new HttpKernel(new EventDispatcher(), new ControllerResolver(), new RequestStack());
foreach (['cart', 'order'] as $route) {
    $request = Request::create("/$route/$seed");
    $request->attributes->set('_controller', [new Routes(), $route]);
    failing("php-route-$route", fn () => $kernel->handle($request, HttpKernel::MAIN_REQUEST, false));
    failing("php-route-$route", fn () => $kernel->handle($request, HttpKernel::MAIN_REQUEST, false), 'span event');
}
