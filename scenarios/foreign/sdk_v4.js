// @alpacahq/alpaca-trade-api 4: generated classes over fetch; it is told its base path.

module.exports = (require, base) => {
    const { trading } = require("@alpacahq/alpaca-trade-api");
    const keys = { keyId: process.env.APCA_API_KEY_ID, secret: process.env.APCA_API_SECRET_KEY };
    const at = (own) => new trading.Configuration({ basePath: base, ...own });
    const orders = new trading.OrdersApi(at(keys));
    const positions = new trading.PositionsApi(at(keys));
    // The session's words are those of the API.
    const snake = (value) =>
        Array.isArray(value) ? value.map(snake)
        : value instanceof Date || value === null || typeof value !== "object" ? value
        : Object.fromEntries(Object.entries(value).map(([name, member]) =>
            [name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase()), snake(member)]));
    const say = async (answer) => snake((await answer) ?? {});
    return {
        account: () => say(new trading.AccountsApi(at(keys)).getAccount()),
        clock: () => say(new trading.ClockApi(at(keys)).legacyClock()),
        submit: ({ id, symbol, qty, side, price }) =>
            say(orders.postOrder({
                postOrderRequest: {
                    clientOrderId: id, symbol, qty: String(qty), side, type: "limit",
                    timeInForce: "day", limitPrice: price,
                },
            })),
        orders: (status) => say(orders.getAllOrders({ status })),
        order: (orderId) => say(orders.getOrderByOrderID({ orderId })),
        byClientId: (clientOrderId) => say(orders.getOrderByClientOrderId({ clientOrderId })),
        cancel: (orderId) => say(orders.deleteOrderByOrderID({ orderId })),
        cancelAll: () => say(orders.deleteAllOrders()),
        positions: () => say(positions.getAllOpenPositions()),
        position: (symbolOrAssetId) => say(positions.getOpenPosition({ symbolOrAssetId })),
        // 4.0.2 takes every activity for one that is no trade and drops what it does not know of it:
        // the answer is read as it came.
        activities: async ({ size, token }) => {
            const answer = await new trading.AccountActivitiesApi(at(keys))
                .getAccountActivitiesByActivityTypeRaw({
                    activityType: "FILL", pageSize: size, pageToken: token,
                });
            return answer.raw.json();
        },
        stranger: () =>
            say(new trading.AccountsApi(at({ keyId: "wrong", secret: "wrong" })).getAccount()),
        failure: (error) => ({ status: error.status ?? "none", code: error.code, message: error.message }),
    };
};
