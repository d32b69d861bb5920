/** How an engine that ends refuses a request: nothing of it was done, so that it may be sent to the next engine. */
export const endingHeader = 'berth-engine-ending';
