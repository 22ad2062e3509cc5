// @alpacahq/alpaca-trade-api 3: callbacks of axios; it reads APCA_API_BASE_URL by itself.

module.exports = (require) => {
    const Alpaca = require("@alpacahq/alpaca-trade-api");
    const api = new Alpaca({});
    return {
        account: () => api.getAccount(),
        clock: () => api.getClock(),
        submit: ({ id, symbol, qty, side, price }) =>
            api.createOrder({
                client_order_id: id, symbol, qty, side, type: "limit", time_in_force: "day",
                limit_price: price,
            }),
        orders: (status) => api.getOrders({ status }),
        order: (id) => api.getOrder(id),
        byClientId: (id) => api.getOrderByClientId(id),
        cancel: (id) => api.cancelOrder(id),
        cancelAll: () => api.cancelAllOrders(),
        positions: () => api.getPositions(),
        position: (symbol) => api.getPosition(symbol),
        activities: ({ size, token }) =>
            api.getAccountActivities({ activityTypes: "FILL", pageSize: size, pageToken: token }),
        stranger: () => new Alpaca({ keyId: "wrong", secretKey: "wrong" }).getAccount(),
        failure: ({ response }) => ({ status: "none", ...response?.data, ...(response && { status: response.status }) }),
    };
};
