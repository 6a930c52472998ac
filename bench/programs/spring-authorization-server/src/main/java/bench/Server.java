package bench;

import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import java.text.ParseException;
import java.util.List;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.crypto.password.NoOpPasswordEncoder;
import org.springframework.security.crypto.password.PasswordEncoder;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.OAuth2TokenCustomizer;

/** Spring Authorization Server as Spring Boot configures it from properties: its one client is given by them. */
@SpringBootApplication
public class Server {

  public static void main(String[] arguments) {
    SpringApplication.run(Server.class, arguments);
  }

  @Bean
  JWKSource<SecurityContext> signingKeys(@Value("${bench.signing-jwk}") String jwk) throws ParseException {
    return new ImmutableJWKSet<>(new JWKSet(JWK.parse(jwk)));
  }

  /** Secrets are compared as they are: otherwise each first use hashes one by bcrypt, and a request is nothing else. */
  @Bean
  @SuppressWarnings("deprecation")
  PasswordEncoder secrets() {
    return NoOpPasswordEncoder.getInstance();
  }

  /** The tokens of the bench: signed by ES256, for its resource, with one string for a scope (RFC 9068). */
  @Bean
  OAuth2TokenCustomizer<JwtEncodingContext> accessTokens(@Value("${bench.resource}") String resource) {
    return context -> {
      context.getJwsHeader().algorithm(SignatureAlgorithm.ES256);
      context.getClaims().audience(List.of(resource)).claim("scope", String.join(" ", context.getAuthorizedScopes()));
    };
  }
}
