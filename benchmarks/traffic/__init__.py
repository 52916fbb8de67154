"""What work costs on Discord: requests counted and seconds modelled, for discosql and for discobase before it."""
