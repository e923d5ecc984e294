package com.shop.orders

import com.shop.Sent
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

class OrderException(message: String, cause: Throwable? = null) : Exception(message, cause)

@JvmInline
value class Sku(val name: String)

class Orders {
    suspend fun reserve(sku: Sku, n: Int): Int {
        delay(1)
        // EDIT
        if (n > 3) throw OrderException("can't reserve $n of ${sku.name}")
        return n
    }

    suspend fun all(skus: List<String>): List<Int> = coroutineScope {
        skus.map { sku -> async(Dispatchers.Default) { find(sku) } }.map { it.await() }
    }

    private fun find(sku: String): Int = mapOf("tea" to 1).getValue(sku)

    suspend fun stored(id: Int) = withContext(Dispatchers.IO) {
        try {
            reserve(Sku("tea-$id"), id)
        } catch (error: OrderException) {
            throw IllegalStateException("order $id is not stored", error)
        }
    }

    fun cheapest(prices: List<Int>) = prices.filter { it > 1000 }.minBy { it }
}

fun fail(group: String, run: suspend () -> Unit) = runBlocking {
    try {
        run()
    } catch (error: Throwable) {
        Sent.write(group, "span event", error)
    }
}

fun main(args: Array<String>) {
    val seed = args[0].toInt()
    val orders = Orders()
    fail("kotlin-reserve") { orders.reserve(Sku("tea-$seed"), 4 + seed) }
    fail("kotlin-find") { orders.all(listOf("tea", "milk-$seed")) }
    fail("kotlin-stored") { orders.stored(10 + seed) }
    fail("kotlin-cheapest") { orders.cheapest(listOf(1, seed)) }
}
