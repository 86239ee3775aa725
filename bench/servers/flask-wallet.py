# The original service in small, for row 9: Flask and SQLite, an addition that reads the balance, adds, writes it back and commits, and nothing that keeps two of them apart.
# Run by gunicorn with FLASK_WALLET_DATABASE in the environment; wallets come into being when they are first added to.

import os
import sqlite3

from flask import Flask, g, jsonify, request

app = Flask(__name__)
path = os.environ["FLASK_WALLET_DATABASE"]

# How long one process waits for the other's commit, in seconds.
BUSY_TIMEOUT = 30

with sqlite3.connect(path, timeout=BUSY_TIMEOUT) as connection:
    connection.execute("create table if not exists wallets (user_id text primary key, balance integer not null)")
    connection.execute("create table if not exists operations (id integer primary key, user_id text not null, kind text not null, amount integer not null)")
connection.close()


def database():
    if "database" not in g:
        g.database = sqlite3.connect(path, timeout=BUSY_TIMEOUT)
    return g.database


@app.teardown_appcontext
def close_database(_error):
    if "database" in g:
        g.database.close()


@app.get("/readyz")
def ready():
    return jsonify(status="ok")


@app.post("/wallet/add_money")
def add_money():
    body = request.get_json()
    user_id, amount = body["user_id"], round(float(body["amount"]) * 100)
    row = database().execute("select balance from wallets where user_id = ?", (user_id,)).fetchone()
    balance = (0 if row is None else row[0]) + amount
    database().execute("insert into wallets (user_id, balance) values (?, ?) on conflict (user_id) do update set balance = excluded.balance", (user_id, balance))
    database().execute("insert into operations (user_id, kind, amount) values (?, 'add', ?)", (user_id, amount))
    database().commit()
    return jsonify(user_id=user_id, balance=balance / 100)
