# The service in a container. Another machine can reach it only where its port is published: there is no authentication or encryption yet.
FROM node:24-bookworm-slim
WORKDIR /wallet
RUN chown node:node /wallet
USER node
COPY --chown=node:node . .
# The image is a Node 24 already, so the one that npm would bring along is left out.
RUN npm ci --omit=dev --omit=optional
ENV WALLET_LISTEN=0.0.0.0:8080 WALLET_INSECURE=true
EXPOSE 8080
# SIGTERM goes straight to the service, which answers what it has accepted and ends within 10 s.
CMD ["node", "--max-semi-space-size=8", "bin/wallet.js"]
