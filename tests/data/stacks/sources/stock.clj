(ns shop.stock
  (:import (com.shop Sent)))

;; EDIT
(defn take-one [sku n]
  (when (> n 3)
    (throw (ex-info (str "only 3 of " sku) {:sku sku :n n})))
  n)

(defn take-all [skus n]
  (doall (map (fn [sku] (take-one sku n)) skus)))

(defn share [counts]
  (reduce + (map #(/ 100 %) counts)))

(defn fail [group run]
  (try (run)
       (catch Throwable error (Sent/write group "span event" error))))

(let [seed (Integer/parseInt (first *command-line-args*))]
  (fail "clojure-take" #(take-all [(str "tea-" seed)] (+ 4 seed)))
  (fail "clojure-share" #(share [1 0 seed])))
