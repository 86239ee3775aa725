"""Opens two wallets, holds money, spends the hold into the other wallet and reads the statement, over gRPC.

Stubs once, in the checkout (they land in build.tmp/, which git ignores), then run it:

    python3 -m venv build.tmp/venv && build.tmp/venv/bin/pip install grpcio grpcio-tools
    build.tmp/venv/bin/python -m grpc_tools.protoc -I proto -I proto/vendor --python_out=build.tmp --grpc_python_out=build.tmp \
        $(cd proto && find wallet -name '*.proto') $(cd proto/vendor && find buf google/api -name '*.proto')
    PYTHONPATH=build.tmp build.tmp/venv/bin/python docs/examples/grpc-python.py [host:port]
"""

import sys
from uuid import uuid4

import grpc
from wallet.v1 import report_service_pb2 as report
from wallet.v1 import report_service_pb2_grpc as report_grpc
from wallet.v1 import wallet_service_pb2 as wallet
from wallet.v1 import wallet_service_pb2_grpc as wallet_grpc
from wallet.v1.hold_pb2 import HoldStatus
from wallet.v1.operation_pb2 import OperationKind

channel = grpc.insecure_channel(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8080")
wallets, reports = wallet_grpc.WalletServiceStub(channel), report_grpc.ReportServiceStub(channel)
dora, shop = f"dora-{uuid4()}", f"shop-{uuid4()}"


def key() -> str:
    """One key for one intention: a call that is sent again, because its answer was lost, carries the same one."""
    return str(uuid4())


for user in (dora, shop):
    wallets.InitWallet(wallet.InitWalletRequest(user_id=user, currency="EUR", idempotency_key=key()))
wallets.AddMoney(wallet.AddMoneyRequest(user_id=dora, amount="100.00", idempotency_key=key()))
held = wallets.HoldMoney(wallet.HoldMoneyRequest(user_id=dora, amount="30.00", idempotency_key=key()))
print(f"{HoldStatus.Name(held.hold.status)}: {held.wallet.balance.available} available, {held.wallet.balance.held} held")

capture = wallet.CaptureHoldRequest(user_id=dora, hold_id=held.hold.hold_id, amount="24.50", to_user_id=shop, final=True, idempotency_key=key())
paid = wallets.CaptureHold(capture)
print(f"{HoldStatus.Name(paid.hold.status)}: {paid.wallet.balance.available} available, {paid.wallet.balance.held} held")
print(f"the same call again, replayed: {wallets.CaptureHold(capture).replayed}")

# Every refusal is an RpcError with a code and a sentence.
try:
    wallets.WithdrawMoney(wallet.WithdrawMoneyRequest(user_id=shop, amount="500.00", idempotency_key=key()))
except grpc.RpcError as error:
    print(f"{error.code().name}: {error.details()}")

for line in reports.GetStatement(report.GetStatementRequest(user_id=dora)):
    match line.WhichOneof("line"):
        case "opening_balance":
            print(f"opening {line.opening_balance.total}")
        case "operation":
            print(f"{OperationKind.Name(line.operation.kind)} {line.operation.amount}, then {line.operation.balance_after.total}")
        case "closing_balance":
            print(f"closing {line.closing_balance.total}")
