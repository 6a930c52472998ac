# The example app as a container: what it was built with stays behind, and it runs as nobody in particular.
FROM node:22-alpine AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY rolldown.config.mjs ./
COPY lib lib
COPY cli cli
COPY example-app example-app
COPY deploy deploy
RUN node node_modules/rolldown/bin/cli.mjs --config rolldown.config.mjs
RUN node deploy/runtime.mjs /runtime
RUN npm install --prefix /runtime --ignore-scripts --omit=dev --omit=peer

FROM node:22-alpine
WORKDIR /app
COPY --from=build /runtime ./
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
ENV NODE_ENV=production STORE_URL=sqlite:/data/clientele.db CONFIG=/etc/clientele/server.json HEALTH_URL=http://127.0.0.1:3000/healthz
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "-e", "fetch(process.env.HEALTH_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/example-app/main.js"]
