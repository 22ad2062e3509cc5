// A trading session of an SDK that nobody here wrote, against `crashgate broker`.
//
//   APCA_API_BASE_URL=... node session.js FOLDER ADAPTER
//
// FOLDER has the SDK in its node_modules, ADAPTER (sdk_v3.js, sdk_v4.js) says the session's words in
// the SDK's. Every step is told with what was seen; a step that differs is told with what was
// wanted, and ends the program with 1.

const [folder, adapter] = process.argv.slice(2);
const base = process.env.APCA_API_BASE_URL;
const { createRequire } = require("module");
const sdk = require(adapter)(createRequire(folder + "/"), base);

let steps = 0;
let differences = 0;

// A step passes when what the SDK gave has every member of `wanted`, as text.
async function step(what, wanted, deed) {
    const seen = await deed().catch((error) => sdk.failure(error));
    const pick = Object.fromEntries(Object.keys(wanted).map((name) => [name, String(seen[name])]));
    const same = Object.keys(wanted).every((name) => pick[name] === String(wanted[name]));
    steps++;
    differences += same ? 0 : 1;
    console.log(`  ${same ? "ok     " : "DIFFERS"}  ${what}: ${JSON.stringify(pick)}`);
    if (!same) console.log(`           wanted ${JSON.stringify(wanted)}, in ${JSON.stringify(seen)}`);
    return seen;
}

async function control(name, body) {
    const answer = await fetch(`${base}/control/${name}`, {
        method: body === undefined ? "GET" : "POST",
        body: body === undefined ? undefined : JSON.stringify(body),
    });
    return answer.json();
}

const limit = (id, qty) => ({ id, symbol: "AAPL", qty, side: "buy", price: "150.25" });

async function session() {
    await step("account", { status: "ACTIVE", cash: "1000000" }, () => sdk.account());
    await step("clock", { is_open: true }, () => sdk.clock());

    const first = await step("submit", { status: "new", qty: "10", filled_qty: "0" },
                             () => sdk.submit(limit("first", 10)));
    await step("the same client id again", { status: 422, code: 40010001 },
               () => sdk.submit(limit("first", 10)));
    await step("a quantity below 0", { status: 422 }, () => sdk.submit(limit("wrong", -1)));
    await step("list of open orders", { length: 1 }, () => sdk.orders("open"));
    await step("by client id", { id: first.id, symbol: "AAPL", limit_price: "150.25" },
               () => sdk.byClientId("first"));
    await step("by id", { client_order_id: "first" }, () => sdk.order(first.id));
    await step("a client id that nobody used", { status: 404, code: 40410000 },
               () => sdk.byClientId("nobody"));
    await step("an id that is none", { status: 422 }, () => sdk.order("none"));

    await control("fill", { order: "first", qty: "4", price: "150" });
    await step("filled in part", { status: "partially_filled", filled_qty: "4", filled_avg_price: "150" },
               () => sdk.order(first.id));
    await control("fill", { order: "first", price: "151" });
    await step("filled", { status: "filled", filled_qty: "10", filled_avg_price: "150.6" },
               () => sdk.order(first.id));
    await step("positions", { length: 1 }, () => sdk.positions());
    await step("position", { qty: "10", avg_entry_price: "150.6", side: "long" },
               () => sdk.position("AAPL"));
    await step("no position", { status: 404, code: 40410000 }, () => sdk.position("TSLA"));

    const newest = await step("activities", { length: 2 }, () => sdk.activities({}));
    await step("the newest of them", { type: "fill", qty: "6", cum_qty: "10", leaves_qty: "0", order_id: first.id },
               async () => newest[0]);
    await step("a page of one, and the next", { type: "partial_fill", qty: "4", leaves_qty: "6" },
               async () => (await sdk.activities({ size: 1, token: newest[0].id }))[0]);

    const second = await step("a second order", { status: "new" }, () => sdk.submit(limit("second", 3)));
    await step("cancel", {}, () => sdk.cancel(second.id));
    await step("canceled", { status: "canceled" }, () => sdk.order(second.id));
    await step("cancel of what was filled", { status: 422, code: 42210000 }, () => sdk.cancel(first.id));
    const third = await step("a third order", { status: "new" }, () => sdk.submit(limit("third", 2)));
    await step("cancel all", { id: third.id, status: 200 }, async () => (await sdk.cancelAll())[0]);
    await step("list of all orders", { length: 3 }, () => sdk.orders("all"));

    await control("plan", { plan: "1/broker.submit@1=lost-reply" });
    await step("the reply is lost", { status: "none" }, () => sdk.submit(limit("doubtful", 7)));
    await step("and the order is there", { status: "new", qty: "7" }, () => sdk.byClientId("doubtful"));

    const books = await control("books");
    await step("the exchange's books", { orders: 4, fills: 2, cash: "998494" },
               async () => ({ orders: books.orders.length, fills: books.fills.length, cash: books.cash }));
    await step("orders that were delivered", { count: 5, accepted: 4, duplicate: 1, refused: 0 },
               async () => books.deliveries);
    await step("a wrong key", { status: 401 }, () => sdk.stranger());
}

session().then(
    () => {
        console.log(`  ${steps} steps, ${differences} differ`);
        process.exitCode = differences > 0 ? 1 : 0;
    },
    (error) => {
        console.error(error);
        process.exitCode = 1;
    },
);
